/** What the command line says of huge pages (hugetlb_cmdline; Documentation/admin-guide/mm/hugetlbpage.rst). */

import { memparse } from "./fs/mounts/data.js";
import type { HugetlbParameters } from "./mm/hugetlb/pools.js";

export const NO_HUGE_PAGES: HugetlbParameters = { defaultBytes: null, pages: [], named: null };

/** Sizes that a processor may have. */
const SIZES = [2 ** 21, 2 ** 30];

/** Parameters that build on one another in their order. */
export const HUGETLB_PARAMETERS = [
  {
    name: "hugepages",
    value: "N",
    text: "how many huge pages of the size named before, or of the default one, the pool has from the start, as far as there is memory",
  },
  {
    name: "hugepagesz",
    value: "2M|1G",
    text: "the size of huge pages that the hugepages= behind it is about",
  },
  {
    name: "default_hugepagesz",
    value: "2M|1G",
    text: "the size that is meant where none is named, 2M unless told; a hugepages= behind it is about this size",
  },
] as const;

/**
 * Takes one parameter in.
 * @returns what is known now, or null for a name that is none of {@link HUGETLB_PARAMETERS}
 * @throws RangeError for a wrong value, and for what Linux would pass over with a warning
 */
export function readHugetlbParameter(
  so: HugetlbParameters,
  name: string,
  value: string,
): HugetlbParameters | null {
  const wrong = (why: string): RangeError => new RangeError(`${name}=${value}: ${why}`);
  if (name === "hugepages") {
    // Of one node with memory its number may be named.
    const text = value.replace(/^0:/, "");
    if (!/^\d{1,9}$/.test(text)) throw wrong("hugepages is a number");
    if (so.pages.some(({ bytes }) => bytes === so.named))
      throw wrong("a number for this size was given before; Linux passes over the second");
    return { ...so, pages: [...so.pages, { bytes: so.named, count: Number(text) }] };
  }
  if (name !== "hugepagesz" && name !== "default_hugepagesz") return null;
  const { value: bytes, rest } = memparse(value);
  if (rest !== "" || !SIZES.includes(bytes)) throw wrong(`${name} is one of 2M, 1G`);
  if (name === "hugepagesz") {
    if (so.pages.some((one) => one.bytes === bytes))
      throw wrong("this size was named before; Linux passes over the second");
    return { ...so, named: bytes };
  }
  if (so.defaultBytes !== null) throw wrong("there is one default size; Linux passes over the second");
  return { ...so, defaultBytes: bytes, named: null };
}
