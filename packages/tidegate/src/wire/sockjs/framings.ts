const SCRIPT_TYPE = 'application/javascript; charset=UTF-8';

/** How frames stand in the response of a transport. */
export interface ResponseFraming {
  readonly contentType: string;
  /** What comes before the first frame; empty for nothing. */
  readonly prelude: string;
  frame(frame: string): string;
}

/** Browsers look at the beginning of a response before they hand on any of it. */
const PRELUDE_CHARACTERS = 2048;
const HTML_CHARACTERS_MIN = 1024;

export const XHR: ResponseFraming = { contentType: SCRIPT_TYPE, prelude: '', frame: (frame) => `${frame}\n` };

export const XHR_STREAMING: ResponseFraming = {
  contentType: SCRIPT_TYPE,
  prelude: `${'h'.repeat(PRELUDE_CHARACTERS)}\n`,
  frame: (frame) => `${frame}\n`,
};

/** Frames have no line ends, as the JSON in them has escaped them. */
export const EVENT_SOURCE: ResponseFraming = {
  contentType: 'text/event-stream; charset=UTF-8',
  prelude: '\r\n',
  frame: (frame) => `data: ${frame}\r\n\r\n`,
};

/** @param callback a checked name; the page that has the frame in which this is shown has it */
export function htmlFile(callback: string): ResponseFraming {
  const page = [
    '<!doctype html>',
    '<html><head>',
    '  <meta http-equiv="X-UA-Compatible" content="IE=edge" />',
    '  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />',
    "</head><body><h2>Don't panic!</h2>",
    '  <script>',
    '    document.domain = document.domain;',
    `    var c = parent.${callback};`,
    '    c.start();',
    '    function p(d) {c.message(d);};',
    '    window.onload = function() {c.stop();};',
    '  </script>',
  ].join('\n');
  return {
    contentType: 'text/html; charset=UTF-8',
    prelude: `${page.padEnd(HTML_CHARACTERS_MIN)}\r\n\r\n`,
    frame: (frame) => `<script>\np(${scriptString(frame)});\n</script>\r\n`,
  };
}

/** @param callback a checked name, which is called with each frame */
export function jsonp(callback: string): ResponseFraming {
  return {
    contentType: SCRIPT_TYPE,
    prelude: '',
    // The comment keeps the first bytes from being the client's choice.
    frame: (frame) => `/**/${callback}(${scriptString(frame)});\r\n`,
  };
}

/** A frame within a script that stands in a page: nothing in it may end the script. */
function scriptString(frame: string): string {
  return JSON.stringify(frame).replaceAll('<', '\\u003c');
}
