import { join } from "node:path";
import { describe, it } from "vitest";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/** netlink.c says in sealab what it says on Linux 6.18.44, as root in a network namespace of its own. */
const program = compiledWithGlibc(join(import.meta.dirname, "netlink.c"));

describe.skipIf(program === undefined)("AF_NETLINK (netlink.c, skipped without gcc)", () => {
  it("tells of the loopback interface as Linux", () =>
    expectAnswers(program!, "netlink/linux-6.18.txt", ["--user", "0"]));
});
