/** A module by its URL. The command's bundle gets another that does the same: a script with kept code cannot import. */
export const importModule = (url: string): Promise<unknown> => import(url);
