import { execFileSync } from "node:child_process";
import type { Workload } from "./workloads.js";

const PACKAGE = "chromium-headless-shell";
const NOTHING_ELSE = "recommends suggests conflicts breaks replaces enhances"
  .split(" ")
  .map((one) => `--no-${one}`);
const PAGE = `<html><body><script>
  document.body.textContent = [1, 2, 3].map((x) => x * x).join("-") + location.protocol;
  const made = document.createElement("p"); made.id = "made"; document.body.append(made);
</script></body></html>`;

/** A browser of many processes. Its messages name times and process ids, so they are not looked at. */
export const CHROMIUM: Workload = {
  rung: "L14",
  name: "chromium",
  argv: [
    "/bin/sh",
    "-c",
    `cat > page.html; /usr/lib/chromium/${PACKAGE} --no-sandbox --disable-gpu --dump-dom file:///work/page.html 2> /dev/null`,
  ],
  input: PAGE,
};

/** The package with all that it needs, 200 MB of archives; undefined where apt does not know it. */
export function chromiumRoot(): { name: string; packages: string[] } | undefined {
  try {
    const text = execFileSync("apt-cache", ["depends", "--recurse", ...NOTHING_ELSE, PACKAGE], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const names = new Set(text.split("\n").filter((line) => /^[a-z0-9][a-z0-9.+-]*$/.test(line)));
    const known = execFileSync("apt-cache", ["show", ...names], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const real = new Set([...known.matchAll(/^Package: (.*)$/gm)].map((match) => match[1]!));
    return { name: "debian-chromium", packages: [...names].filter((name) => real.has(name)) };
  } catch {
    return undefined;
  }
}
