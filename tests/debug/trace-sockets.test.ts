import { expect, test } from "vitest";
import { changedLength, sockaddrText } from "../../debug/trace/sockets.js";

// Every expected text was printed by strace 6.1 on Linux 6.18.

const bytes = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));
const LOOPBACK6 = [...new Array<number>(15).fill(0), 1];

test.each([
  [[1, 0], "{sa_family=AF_UNIX}"],
  [[1, 0, ...bytes("path\0more")], '{sa_family=AF_UNIX, sun_path="path"}'],
  [[1, 0, 0, ...bytes("abs")], '{sa_family=AF_UNIX, sun_path=@"abs"}'],
  [
    [2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}',
  ],
  [[2, 0, 0, 80, 127, 0, 0, 1], '{sa_family=AF_INET, sa_data="\\0P\\177\\0\\0\\1"}'],
  [
    [10, 0, 0, 9, 0, 0, 0, 0, ...LOOPBACK6, 0, 0, 0, 0],
    '{sa_family=AF_INET6, sin6_port=htons(9), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}',
  ],
])("a sockaddr of bytes %j", (sockaddr, text) => {
  expect(sockaddrText(Uint8Array.from(sockaddr))).toBe(text);
});

test("a length that the kernel changed shows both values", () => {
  expect(changedLength("[110]", "[6]")).toBe("[110 => 6]");
  expect(changedLength("[16]", "[16]")).toBe("[16]");
});
