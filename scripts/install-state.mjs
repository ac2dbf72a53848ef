// Whether node_modules holds what package-lock.json asks for.
import { readFileSync } from "node:fs";

const root = new URL("../", import.meta.url);

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(new URL(path, root), "utf8")).packages ?? {};
  } catch {
    return null;
  }
}

/** A sentence that says what is missing or another version, or null when all is there. */
export function installProblem() {
  const wanted = packagesOf("package-lock.json");
  const installed = packagesOf("node_modules/.package-lock.json");
  if (wanted === null) return "package-lock.json cannot be read";
  if (installed === null) return "the dependencies are not installed";
  for (const [path, entry] of Object.entries(wanted)) {
    // Optional packages are for other platforms.
    if (path === "" || entry.optional || entry.devOptional || entry.peer) continue;
    if (installed[path]?.version !== entry.version) return `${path} is not version ${entry.version}`;
  }
  return null;
}
