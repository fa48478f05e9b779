export { isCallback } from './callback.ts';
export { ENVELOPE_END, type EnvelopeHead, envelopeBegin, envelopePart } from './envelope.ts';
export { callBegin, SCRIPT_MEDIA_TYPE, scriptJson, scriptLiteral } from './script.ts';
