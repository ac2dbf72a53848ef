/** What an access to memory wants to do; the numbers index tables, so they are not an enum. */
export const READ = 0;
export const WRITE = 1;
export const FETCH = 2;
export type AccessKind = typeof READ | typeof WRITE | typeof FETCH;
