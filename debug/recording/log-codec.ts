import { ACT, CHECK, FAILED, InputLog, type EntryKind } from "./input-log.js";
import type { Value } from "./value.js";
import { CodecError, type ValueReader, type ValueWriter } from "./value-codec.js";

/** Writes a log: its subjects and values once each, then its columns, one after the other. */
export function writeLog(writer: ValueWriter, log: InputLog): void {
  const subjects = new Map<string, number>();
  const values = new Map<Value, number>();
  const numberIn = <T>(map: Map<T, number>, key: T): number => {
    let number = map.get(key);
    if (number === undefined) map.set(key, (number = map.size));
    return number;
  };
  const indexes = Array.from({ length: log.length }, (_, index) => index);
  const subjectOf = indexes.map((index) => numberIn(subjects, log.subject(index)));
  const valueOf = indexes.map((index) =>
    hasHash(log.kind(index)) ? log.hash(index) : numberIn(values, log.value(index)),
  );
  writer.whole(subjects.size);
  for (const subject of subjects.keys()) writer.value(subject);
  writer.whole(values.size);
  for (const value of values.keys()) writer.value(value);
  writer.whole(log.length);
  for (const index of indexes) writer.byte(log.kind(index));
  let before = 0;
  for (const index of indexes) {
    writer.whole(log.instruction(index) - before);
    before = log.instruction(index);
  }
  for (const subject of subjectOf) writer.whole(subject);
  for (const value of valueOf) writer.whole(value);
}

/** @throws CodecError */
export function readLog(reader: ValueReader): InputLog {
  const subjects = Array.from({ length: reader.count() }, () => reader.value());
  const values = Array.from({ length: reader.count() }, () => reader.value());
  const length = reader.count();
  const kinds = reader.raw(length);
  let now = 0;
  const at = Array.from({ length }, () => (now += reader.whole()));
  const subjectOf = Array.from({ length }, () => reader.whole());
  const valueOf = Array.from({ length }, () => reader.whole());
  const log = new InputLog();
  for (let index = 0; index < length; index++) {
    const kind = kinds[index]!;
    const subject = subjects[subjectOf[index]!];
    const value = valueOf[index]!;
    if (kind > FAILED) throw new CodecError(`there is no entry of kind ${kind}`);
    if (typeof subject !== "string") throw new CodecError("an entry has no subject");
    if (hasHash(kind as EntryKind)) log.appendHash(kind as typeof ACT, at[index]!, subject, value);
    else if (value >= values.length) throw new CodecError("an entry has no value");
    else log.append(kind as EntryKind, at[index]!, subject, values[value]!);
  }
  return log;
}

function hasHash(kind: EntryKind): kind is typeof ACT | typeof CHECK {
  return kind === ACT || kind === CHECK;
}
