/** What a process needs besides its sockets to clients. */
const OTHER_FILES = 200;

/** How many connections this process can have: Node has raised the limit as far as the system lets it (`ulimit -Hn`). */
export function openFilesMax(): number {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits: { readonly open_files: { readonly soft: number | 'unlimited' } };
  };
  const { soft } = userLimits.open_files;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Math.max(0, soft - OTHER_FILES);
}
