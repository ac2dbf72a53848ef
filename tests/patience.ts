/**
 * Milliseconds after which a program that a test has started is no longer waited for. It is there for programs that
 * hang: a machine that does ten other things takes twenty times as long as an idle one, and that is no failure.
 */
export const PATIENCE_MS = 240_000;
