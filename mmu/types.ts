/** Branded numbers: the kinds of address and index that must never be mixed up. */

/** A user virtual address in bytes, below 2^47, exact as a `number`. */
export type VirtualAddress = number & { readonly __kind?: "VirtualAddress" };
/** A guest physical address in bytes, below 2^32. */
export type PhysicalAddress = number & { readonly __kind?: "PhysicalAddress" };
/** A page frame number: a physical address divided by the page size. */
export type PageFrame = number & { readonly __kind?: "PageFrame" };
/** A protection key, 0 to 15 (SDM vol. 3, 4.6.2). */
export type ProtectionKey = number & { readonly __kind?: "ProtectionKey" };
