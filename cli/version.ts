import { existsSync, readFileSync } from "node:fs";

/** sealab's own, from package.json: beside the sources' directory, or above the bundle's. */
export function version(): string {
  const file = ["../package.json", "../../package.json"]
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url))!;
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
