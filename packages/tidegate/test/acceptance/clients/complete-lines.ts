/** Cuts text into lines as it arrives. A last line that is never completed, because the connection was lost, is dropped. */
export function completeLines(takeLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) takeLine(line);
  };
}
