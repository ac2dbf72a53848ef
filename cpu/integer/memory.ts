import type { Builder } from "../ir/builder.js";
import type { Expr, Width } from "../ir/nodes.js";
import { define } from "../ir/registry.js";

/**
 * Loads, stores and effective addresses. `.b`: slot b + immediate. `.x`: slot e (segment base) + slot b +
 * (slot c << d) + immediate. Slot a is the register read or written.
 */
export const based = (b: Builder): Expr => b.add(b.get("b", 8), b.immediate);
const UNSEGMENTED_WIDTHS = [1, 4, 8] as const;
/** `.i`: as `.x`, without a segment; only for the loads and stores that programs live on. */
export const unsegmented = (b: Builder): Expr =>
  b.add(b.add(b.get("b", 8), b.shl(b.get("c", 8), b.extU(b.small))), b.immediate);
const indexed = (b: Builder): Expr =>
  b.add(b.add(b.get("e", 8), b.add(b.get("b", 8), b.shl(b.get("c", 8), b.extU(b.small)))), b.immediate);

for (const [form, address] of [
  ["b", based],
  ["x", indexed],
] as const) {
  for (const width of [1, 2, 4, 8, 16] as Width[]) {
    define(`ld.${width}.${form}`, (b) => b.setRegister("a", width, b.load(address(b), width)));
    define(
      `ldw.${width}.${form}`,
      (b) => b.setRegister("a", width, b.load(address(b), width, undefined, { forWrite: true })),
      width === 2 ? "rare" : "hot",
    );
    define(`st.${width}.${form}`, (b) => b.store(address(b), width, b.get("a", width)));
  }
  // Zero- and sign-extending loads into a whole register; `to4` stops at 32 bits and clears the rest.
  for (const width of [1, 2] as Width[]) {
    define(`ldz.${width}.${form}`, (b) => b.set("a", 8, b.load(address(b), width, "i64")));
    define(`ldsto4.${width}.${form}`, (b) =>
      b.setRegister("a", 4, b.load(address(b), width, "i32", { signed: true })),
    );
  }
  for (const width of [1, 2, 4] as Width[])
    define(`lds.${width}.${form}`, (b) => b.set("a", 8, b.load(address(b), width, "i64", { signed: true })));
}

define("ea", (b) => b.set("a", 8, indexed(b)));
define("ea.b", (b) => b.set("a", 8, based(b)));
/** A 32-bit address (prefix 67): no segment base yet. */
define("ea32", (b) =>
  b.set(
    "a",
    8,
    b.and(b.add(b.add(b.get("b", 8), b.shl(b.get("c", 8), b.extU(b.small))), b.immediate), b.i64(0xffffffff)),
  ),
);

for (const width of UNSEGMENTED_WIDTHS) {
  define(`ld.${width}.i`, (b) => b.setRegister("a", width, b.load(unsegmented(b), width)));
  define(`st.${width}.i`, (b) => b.store(unsegmented(b), width, b.get("a", width)));
}
for (const width of [1, 2] as const)
  define(`ldz.${width}.i`, (b) => b.set("a", 8, b.load(unsegmented(b), width, "i64")));
define("lds.4.i", (b) => b.set("a", 8, b.load(unsegmented(b), 4, "i64", { signed: true })));
