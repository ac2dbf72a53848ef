import type { SourceRow } from "./rows.js";
import type { View } from "./view.js";

export interface SourceOptions {
  readonly file: string;
  /** The line in the middle. */
  readonly around: number;
  readonly count: number;
  /** Lines of this file with an enabled break. */
  readonly breaks?: ReadonlySet<number>;
}

/** Lines of a source file; none where its text is not to be had. */
export function sourceRows(view: View, { file, around, count, breaks }: SourceOptions): SourceRow[] {
  const lines = view.modules.source(file);
  if (lines === null) return [];
  const here = view.modules.lineAt(view.place, view.task.mm);
  const first = Math.max(1, Math.min(around - Math.floor(count / 2), lines.length - count + 1));
  const shown = lines.slice(first - 1, first - 1 + count);
  const width = String(first + shown.length).length;
  return shown.map((code, i) => {
    const line = first + i;
    const current = here?.file === file && here.line === line;
    const breakpoint = breaks?.has(line) ?? false;
    const mark = `${breakpoint ? "●" : " "}${current ? "►" : " "}`;
    return {
      line,
      code,
      current,
      breakpoint,
      text: `${mark} ${String(line).padStart(width)}  ${code}`.trimEnd(),
    };
  });
}

/** `file.c:12`, the path shortened to its last component. */
export function placeName({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file.slice(file.lastIndexOf("/") + 1)}:${line}`;
}
