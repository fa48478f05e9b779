/**
 * A function by its name, or as a member of others, such as `callback`, `app.answers._0` or `done[3]`. Nothing else may stand there: what a request
 * names is run as a script in the page of whoever follows a link to it.
 */
const CALLBACK = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*|\[[0-9]{1,9}\])*$/;
const CALLBACK_CHARACTERS_MAX = 128;

/** Whether a text may be called in a script. */
export function isCallback(name: string): boolean {
  return name.length <= CALLBACK_CHARACTERS_MAX && CALLBACK.test(name);
}
