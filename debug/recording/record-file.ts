import { Hasher } from "../snapshot/hasher.js";
import type { RunEnd, RunRecord, RunSetup } from "./run-record.js";
import { readLog, writeLog } from "./log-codec.js";
import type { Value } from "./value.js";
import { CodecError, ValueReader, ValueWriter } from "./value-codec.js";

/** A file that is no record, or not one that can be read; the message is one line. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

/** How the body is packed. */
export interface Packer {
  pack(bytes: Uint8Array): Uint8Array;
  /** @throws where it is not what `pack` gave; `size` bytes come of it */
  unpack(bytes: Uint8Array, size: number): Uint8Array;
}

/** Raised when a reader of the former one could not read the file any more. */
const FORMAT = 1;
const FIRST_WORDS = "sealab record";
const LONGEST_LINE = 200;
const LARGEST_BODY = 2 ** 31;

/**
 * A record as a file: one line of text (`sealab record FORMAT VERSION BYTES DIGEST`), then the body, deflated.
 * The digest is of the body as it was before.
 */
export function encodeRecord(record: RunRecord, packer: Packer): Uint8Array {
  const writer = new ValueWriter();
  writer.value(record.setup as unknown as Value);
  writer.value(record.end as unknown as Value);
  writeLog(writer, record.log);
  const body = writer.bytes();
  const line = `${FIRST_WORDS} ${FORMAT} ${record.version} ${body.length} ${bodyDigest(body)}\n`;
  const head = new TextEncoder().encode(line);
  const packed = packer.pack(body);
  const file = new Uint8Array(head.length + packed.length);
  file.set(head);
  file.set(packed, head.length);
  return file;
}

/** @throws RecordError */
export function decodeRecord(file: Uint8Array, packer: Packer): RunRecord {
  const newline = file.subarray(0, LONGEST_LINE).indexOf(0x0a);
  const line = new TextDecoder().decode(file.subarray(0, Math.max(0, newline)));
  if (!line.startsWith(`${FIRST_WORDS} `)) throw new RecordError("not a record of sealab");
  const [format, version, size, digest] = line.slice(FIRST_WORDS.length + 1).split(" ");
  if (format !== `${FORMAT}`)
    throw new RecordError(`a record of format ${format}, by sealab ${version}; this one reads ${FORMAT}`);
  if (!/^\d+$/.test(size ?? "") || Number(size) > LARGEST_BODY || digest === undefined)
    throw new RecordError("damaged: its first line is not whole");
  let body: Uint8Array;
  try {
    body = packer.unpack(file.subarray(newline + 1), Number(size));
  } catch {
    throw new RecordError("damaged: it cannot be unpacked");
  }
  if (body.length !== Number(size) || bodyDigest(body) !== digest)
    throw new RecordError("damaged: its digest is another one");
  try {
    const reader = new ValueReader(body);
    const setup = reader.value() as unknown as RunSetup;
    const end = reader.value() as unknown as RunEnd;
    return { version: version!, setup, end, log: readLog(reader) };
  } catch (error) {
    if (error instanceof CodecError) throw new RecordError(`damaged: ${error.message}`);
    throw error;
  }
}

function bodyDigest(body: Uint8Array): string {
  const hasher = new Hasher();
  hasher.bytes(body);
  return hasher.digest();
}
