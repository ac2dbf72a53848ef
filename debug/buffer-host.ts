import type { Host, HostInput } from "../kernel/host.js";
import { SeededRandom } from "./seeded-random.js";

export interface BufferHostState {
  readonly input: Uint8Array;
  readonly randomness: Uint32Array;
  /** Pieces written to standard output and standard error. */
  readonly written: readonly [number, number];
}

/** A host in memory, for tests and for programs that are given everything: no terminal, no files, a fixed time. */
export class BufferHost implements Host {
  readonly stdin: HostInput;
  readonly written: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] };
  readonly randomness: SeededRandom;
  private input: Uint8Array;

  /**
   * @param input what the program reads from standard input; then comes its end
   * @param seed of `random`
   */
  constructor(input: Uint8Array | string = "", seed = 0) {
    this.input = typeof input === "string" ? new TextEncoder().encode(input) : input;
    this.randomness = new SeededRandom(seed);
    this.stdin = {
      read: (max) => {
        const bytes = this.input.subarray(0, max);
        this.input = this.input.subarray(bytes.length);
        return bytes;
      },
      ready: () => true,
    };
  }

  write(fd: 1 | 2, bytes: Uint8Array): void {
    this.written[fd].push(bytes.slice());
  }

  /** What was written so far, as UTF-8. */
  text(fd: 1 | 2): string {
    const decoder = new TextDecoder();
    return (
      this.written[fd].map((bytes) => decoder.decode(bytes, { stream: true })).join("") + decoder.decode()
    );
  }

  /** With a machine that goes back, its input, its randomness and what was written go back too. */
  saveState(): BufferHostState {
    const { input, randomness, written } = this;
    return { input, randomness: randomness.saveState(), written: [written[1].length, written[2].length] };
  }

  loadState(state: BufferHostState): void {
    this.input = state.input;
    this.randomness.loadState(state.randomness);
    this.written[1].length = state.written[0];
    this.written[2].length = state.written[1];
  }

  isTerminal(): boolean {
    return false;
  }

  terminalSize(): null {
    return null;
  }

  realtimeNanoseconds(): bigint {
    return 0n;
  }

  monotonicNanoseconds(): bigint {
    return 0n;
  }

  random(count: number): Uint8Array {
    return this.randomness.bytes(count);
  }
}
