/**
 * What is shown in place of a secret that resources have in them. Who sends it back means the secret that is there; so it can be no secret itself.
 */
export const MASKED_SECRET = '(secret)';
