/**
 * One case an instruction: its text for GNU as, run on many register states. XMM1 and XMM2, MM1 and MM2, RAX, RCX
 * and RDX are operands, [rdi+160] is 16 bytes of aligned memory; XMM0 is the implicit mask.
 */

/** Bytes of a state: XMM0-3, MM0-3, RAX, RCX, RDX, RBX, RFLAGS, MXCSR, the memory operand at 160. */
export const STATE_BYTES = 176;
export const MM_OFFSET = 64;
export const GPR_OFFSET = 96;
export const FLAGS_OFFSET = 128;
export const MXCSR_OFFSET = 136;
export const MEMORY_OFFSET = 160;

export const STATES = 48;

const words = (text: string): string[] => text.trim().split(/\s+/);

const BOTH = words(`
  pand por pxor pandn paddb paddw paddd paddq psubb psubw psubd psubq paddsb paddsw paddusb paddusw psubsb psubsw
  psubusb psubusw pavgb pavgw pminub pmaxub pminsw pmaxsw pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd pabsb
  pabsw pabsd psignb psignw psignd pmullw pmaddwd pmulhw pmulhuw pmuludq pmulhrsw pmaddubsw psadbw phaddw phaddd
  phaddsw phsubw phsubd phsubsw psllw pslld psllq psrlw psrld psrlq psraw psrad packsswb packuswb packssdw
  punpckhbw punpckhwd punpckhdq pshufb`);
const LOW_UNPACKS = words("punpcklbw punpcklwd punpckldq");
const XMM_ONLY = words(`
  andps andpd orps orpd xorps xorpd andnps andnpd pminsb pmaxsb pminuw pmaxuw pminsd pmaxsd pminud pmaxud pcmpeqq
  pcmpgtq pmulld pmuldq packusdw punpcklqdq punpckhqdq unpcklps unpckhps unpcklpd unpckhpd pblendvb blendvps
  blendvpd ptest phminposuw movaps movapd movdqa movups movupd movdqu movsldup movshdup movddup`);
const HALF_MEMORY = words(`
  pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq pmovzxbw pmovzxbd pmovzxbq pmovzxwd pmovzxwq pmovzxdq
  movq cvtps2pd cvtdq2pd movss movsd`);
const FLOAT = words(`
  addps addpd addss addsd subps subpd subss subsd mulps mulpd mulss mulsd divps divpd divss divsd sqrtps sqrtpd
  sqrtss sqrtsd minps minpd minss minsd maxps maxpd maxss maxsd addsubps addsubpd haddps haddpd hsubps hsubpd
  comiss comisd ucomiss ucomisd cvtps2dq cvttps2dq cvtpd2dq cvttpd2dq cvtpd2ps cvtss2sd cvtsd2ss`);
const COMPARES = words("eq lt le unord neq nlt nle ord").flatMap((p) =>
  words("ps pd ss sd").map((form) => `cmp${p}${form}`),
);
const SHIFTS = words("psllw pslld psllq psrlw psrld psrlq psraw psrad");

function* instructionTexts(): Generator<string> {
  for (const name of BOTH)
    yield* [`${name} xmm1, xmm2`, `${name} xmm1, [rdi+160]`, `${name} mm1, mm2`, `${name} mm1, [rdi+160]`];
  for (const name of LOW_UNPACKS)
    yield* [`${name} xmm1, xmm2`, `${name} xmm1, [rdi+160]`, `${name} mm1, mm2`, `${name} mm1, [rdi+164]`];
  for (const name of [...XMM_ONLY, ...FLOAT, ...COMPARES])
    yield* [`${name} xmm1, xmm2`, `${name} xmm1, [rdi+160]`, `${name} xmm1, xmm1`];
  for (const name of HALF_MEMORY) yield* [`${name} xmm1, xmm2`, `${name} xmm1, [rdi+163]`];
  for (const name of SHIFTS)
    for (const n of [0, 1, 7, 15, 16, 31, 32, 63, 64, 255])
      yield* [`${name} xmm1, ${n}`, `${name} mm1, ${n}`];
  for (const n of [0, 1, 5, 15, 16, 200]) yield* [`psrldq xmm1, ${n}`, `pslldq xmm1, ${n}`];
  for (const n of [0, 1, 4, 7, 8, 9, 15, 16, 20, 31, 32, 255])
    yield* [
      `palignr xmm1, xmm2, ${n}`,
      `palignr xmm1, [rdi+160], ${n}`,
      `palignr mm1, mm2, ${n}`,
      `palignr mm1, [rdi+160], ${n}`,
    ];
  for (const n of [0, 0x1b, 0x4e, 0xb1, 0xe4, 0xff, 0x93]) {
    for (const name of words(
      "pshufd pshuflw pshufhw shufps shufpd pblendw blendps blendpd mpsadbw dpps dppd",
    ))
      yield* [`${name} xmm1, xmm2, ${n}`, `${name} xmm1, [rdi+160], ${n}`];
    yield* [`pshufw mm1, mm2, ${n}`, `pshufw mm1, [rdi+160], ${n}`];
    yield* [`insertps xmm1, xmm2, ${n}`, `insertps xmm1, [rdi+161], ${n}`];
    yield* [
      `pinsrb xmm1, eax, ${n}`,
      `pinsrw xmm1, eax, ${n}`,
      `pinsrd xmm1, eax, ${n}`,
      `pinsrq xmm1, rax, ${n}`,
    ];
    yield* [`pinsrb xmm1, [rdi+161], ${n}`, `pinsrw xmm1, [rdi+161], ${n}`, `pinsrd xmm1, [rdi+161], ${n}`];
    yield* [`pinsrq xmm1, [rdi+165], ${n}`, `pinsrw mm1, eax, ${n}`, `pinsrw mm1, [rdi+161], ${n}`];
    yield* [
      `pextrb eax, xmm1, ${n}`,
      `pextrw eax, xmm1, ${n}`,
      `pextrd eax, xmm1, ${n}`,
      `pextrq rax, xmm1, ${n}`,
    ];
    yield* [`pextrb [rdi+161], xmm1, ${n}`, `pextrw [rdi+161], xmm1, ${n}`, `pextrd [rdi+161], xmm1, ${n}`];
    yield* [
      `pextrq [rdi+161], xmm1, ${n}`,
      `pextrw eax, mm1, ${n}`,
      `extractps eax, xmm1, ${n}`,
      `extractps [rdi+161], xmm1, ${n}`,
    ];
  }
  for (const name of words("movaps movapd movdqa movups movupd movdqu movntps movntpd movntdq"))
    yield `${name} [rdi+160], xmm1`;
  for (const name of words("movlps movhps movlpd movhpd"))
    yield* [`${name} xmm1, [rdi+163]`, `${name} [rdi+163], xmm1`];
  yield* ["movhlps xmm1, xmm2", "movlhps xmm1, xmm2", "lddqu xmm1, [rdi+155]", "movntdqa xmm1, [rdi+160]"];
  yield* ["movss [rdi+163], xmm1", "movsd [rdi+163], xmm1", "movq [rdi+163], xmm1", "movd [rdi+163], xmm1"];
  yield* ["movd xmm1, eax", "movd eax, xmm1", "movq xmm1, rax", "movq rax, xmm1", "movd xmm1, [rdi+163]"];
  yield* ["movd mm1, eax", "movd eax, mm1", "movq mm1, rax", "movq rax, mm1", "movd mm1, [rdi+163]"];
  yield* [
    "movq mm1, mm2",
    "movq mm1, [rdi+163]",
    "movq [rdi+163], mm1",
    "movd [rdi+163], mm1",
    "movntq [rdi+163], mm1",
  ];
  yield* ["movq2dq xmm1, mm2", "movdq2q mm1, xmm2", "pmovmskb eax, xmm1", "pmovmskb eax, mm1"];
  yield* ["movmskps eax, xmm1", "movmskpd eax, xmm1"];
  for (const r of ["eax", "rax"]) {
    yield* [`cvtsi2sd xmm1, ${r}`, `cvtsi2ss xmm1, ${r}`, `cvtss2si ${r}, xmm1`, `cvtsd2si ${r}, xmm1`];
    yield* [`cvttss2si ${r}, xmm1`, `cvttsd2si ${r}, xmm1`];
  }
  yield* ["cvtsi2sd xmm1, dword ptr [rdi+160]", "cvtsi2ss xmm1, qword ptr [rdi+160]"];
  yield* ["cvtsd2si rax, [rdi+160]", "cvttss2si eax, [rdi+160]"];
  for (const name of words("cvtpi2ps cvtpi2pd")) yield* [`${name} xmm1, mm2`, `${name} xmm1, [rdi+160]`];
  for (const name of words("cvtps2pi cvttps2pi cvtpd2pi cvttpd2pi"))
    yield* [`${name} mm1, xmm2`, `${name} mm1, [rdi+160]`];
  for (const form of words("ps pd ss sd"))
    for (const n of [0, 1, 2, 3, 4, 8, 9, 10, 11, 12])
      yield* [`round${form} xmm1, xmm2, ${n}`, `round${form} xmm1, [rdi+160], ${n}`];
  for (const n of [0xf1, 0xf2, 0xf4, 0xf8, 0x31, 0x32, 0xcf])
    yield* [`dpps xmm1, xmm2, ${n}`, `dpps xmm1, [rdi+160], ${n}`, `dppd xmm1, xmm2, ${n}`];
  for (const name of words("pcmpistri pcmpistrm pcmpestri pcmpestrm"))
    for (let n = 0; n < 128; n++) yield `${name} xmm1, xmm2, ${n}`;
  yield* [
    "pcmpistri xmm1, [rdi+156], 0x1a",
    "pcmpestrm xmm1, [rdi+156], 0x4c",
    "rex.w pcmpestri xmm1, xmm2, 0x18",
  ];
  yield* [
    "crc32 eax, cl",
    "crc32 eax, ch",
    "crc32 eax, cx",
    "crc32 eax, ecx",
    "crc32 rax, rcx",
    "crc32 rax, cl",
  ];
  yield* ["crc32 eax, byte ptr [rdi+163]", "crc32 rax, qword ptr [rdi+163]"];
  yield* ["stmxcsr [rdi+164]", "emms"];
  yield* ["movsd xmm3, xmm2\nmaskmovdqu xmm1, xmm2", "maskmovq mm1, mm2"];
}

export function instructions(): string[] {
  return [...new Set(instructionTexts())];
}

/** xorshift32. */
function random(seed: number): () => number {
  let s = seed;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
}

/** PE sticky and clear, all roundings, FTZ, DAZ; always with all exceptions masked. */
const MXCSRS = [
  0x1f80, 0x1fa0, 0x1fbf, 0x3fa0, 0x5f80, 0x7fa0, 0x9fa0, 0x1fe0, 0x9fc0, 0x1fa0, 0x1f80, 0x1fa0,
];

function patternLane(next: () => number, view: DataView, at: number, style: number): void {
  const choice = next() % 16;
  switch (style) {
    case 0: // random bytes with extremes
      for (let i = 0; i < 8; i++) {
        const r = next();
        view.setUint8(at + i, r % 4 === 0 ? [0, 0x7f, 0x80, 0xff][(r >>> 8) % 4] : r >>> 16);
      }
      return;
    case 1: {
      // doubles
      const special = [
        0,
        -0,
        1,
        -1,
        Infinity,
        -Infinity,
        NaN,
        5e-324,
        2.2250738585072014e-308,
        1.7976931348623157e308,
      ];
      if (choice < 6) view.setFloat64(at, special[next() % special.length], true);
      else if (choice === 6) view.setBigUint64(at, 0x7ff0000000000001n | (BigInt(next()) << 10n), true);
      else if (choice < 10) view.setFloat64(at, ((next() % 2001) - 1000) / 8, true);
      else if (choice < 12) view.setFloat64(at, (next() - 2 ** 31) * 2 ** ((next() % 40) - 10), true);
      else {
        view.setUint32(at, next(), true);
        view.setUint32(
          at + 4,
          (next() & 0x800fffff) | ((choice < 14 ? 1023 - 8 + (next() % 16) : next() % 2047) << 20),
          true,
        );
      }
      return;
    }
    case 2: // singles
      for (const half of [0, 4]) {
        const pick = next() % 16;
        const special = [
          0,
          -0,
          1,
          -1,
          Infinity,
          -Infinity,
          NaN,
          1e-45,
          1.1754943508222875e-38,
          3.4028234663852886e38,
        ];
        if (pick < 5) view.setFloat32(at + half, special[next() % special.length], true);
        else if (pick === 5) view.setUint32(at + half, 0x7f800001 | (next() & 0x803fff00), true);
        else if (pick < 10) view.setFloat32(at + half, ((next() % 2001) - 1000) / 8, true);
        else if (pick < 12) view.setFloat32(at + half, (next() - 2 ** 31) * 2 ** ((next() % 8) - 4), true);
        else
          view.setUint32(
            at + half,
            (next() & 0x807fffff) | ((pick < 14 ? 119 + (next() % 16) : next() % 255) << 23),
            true,
          );
      }
      return;
    default: // few different small bytes: strings
      for (let i = 0; i < 8; i++)
        view.setUint8(
          at + i,
          [0, 97, 98, 99, 97, 200, 98, 97][(next() % (style === 3 ? 8 : 3)) + (style === 3 ? 0 : 1)],
        );
  }
}

/** State number `index`; the same ones for every instruction. */
export function state(index: number): Uint8Array {
  const next = random(0x9e3779b9 ^ (index * 0x85ebca6b));
  for (let i = 0; i < 8; i++) next();
  const bytes = new Uint8Array(STATE_BYTES);
  const view = new DataView(bytes.buffer);
  const style = [0, 1, 2, 3, 1, 2, 0, 4][index % 8];
  for (let at = 0; at < GPR_OFFSET; at += 8) patternLane(next, view, at, style);
  for (let at = MEMORY_OFFSET; at < STATE_BYTES; at += 8) patternLane(next, view, at, style);
  if (index % 8 === 4) {
    // Cancellation and comparison want equal lanes now and then.
    bytes.copyWithin(32, 16, 24);
    bytes.copyWithin(MEMORY_OFFSET + 8, 24, 32);
  }
  // Shift counts are small in some states.
  if (index % 8 === 6)
    for (const at of [32, MM_OFFSET + 16, MEMORY_OFFSET]) view.setBigUint64(at, BigInt(next() % 70), true);
  for (let i = 0; i < 4; i++) {
    const at = GPR_OFFSET + 8 * i;
    const small = index % 3 !== 0;
    view.setInt32(at, small ? (next() % 41) - 20 : next() | 0, true);
    view.setInt32(at + 4, small ? view.getInt32(at, true) >> 31 : next() | 0, true);
  }
  view.setUint32(FLAGS_OFFSET, 0x202 | (next() & 0x8d5), true);
  view.setUint32(MXCSR_OFFSET, MXCSRS[(index * 5 + (index >> 3)) % MXCSRS.length], true);
  return bytes;
}
