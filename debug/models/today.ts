/** Each model as programs of today meet it, with the three-argument mseal: what a comparison is of unless told. */
export const TODAYS_MODELS: readonly string[] = [
  "linux",
  "rfc-v1:today",
  "rfc-v2:today",
  "rfc-v3:today",
  "v4:today",
  "mimmutable-2022",
  "mimmutable",
  "xnu-permanent:today",
  "prot-immutable:today",
  "guidelines",
  "hook",
];
