/**
 * The releases whose whole matrix has been asked of a real kernel; tests compare every cell with what it answered.
 * Other releases' cells are derived from the rules.
 */
export const JUDGED: Readonly<Record<string, string>> = {
  "6.12": "6.12.117+deb12-cloud-amd64",
  "6.18": "6.18.44",
};
