import { readFileSync, writeFileSync } from "node:fs";
import { decodeRecord, encodeRecord } from "../../debug/recording/record-file.js";
import { PACKER } from "../debug/recording/recorded.js";

/** Makes a record's file say that memory was another at the end. */
export function forgeEnd(path: string): void {
  const { end, ...rest } = decodeRecord(readFileSync(path), PACKER);
  writeFileSync(path, encodeRecord({ ...rest, end: { ...end, digest: "0".repeat(32) } }, PACKER));
}
