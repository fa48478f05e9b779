/** Something in the options of a route or an upstream that a schema cannot say. */
export interface OptionProblem {
  /** Where it stands below the resource, such as `['rewrite', 'path']`. */
  readonly path: readonly (string | number)[];
  /** What is wrong, without a full stop. */
  readonly message: string;
  /** How to put it right, a sentence. */
  readonly remedy: string;
}
