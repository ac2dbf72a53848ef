import type { FileRights } from "./file-rights.js";
import type { SenderCredentials } from "./sender-credentials.js";

/** Who pays for a message until it is read. */
export interface Payer {
  /** Bytes of `charge` went back. */
  refund(charge: number): void;
}

/** Where a message is from; a unix socket's name is looked at when the message is read. */
export interface Sender {
  /** Empty for one without a name. */
  readonly sockaddr: Uint8Array;
}

/** A datagram, or a piece of a stream, that waits to be read ("struct sk_buff"). */
export interface Message {
  readonly bytes: Uint8Array;
  /** Bytes before it have been read. */
  start: number;
  /** What it costs the sender's buffer, in bytes, with Linux's own overhead (truesize). */
  readonly charge: number;
  readonly payer: Payer | null;
  readonly from: Sender;
  readonly credentials: SenderCredentials | null;
  rights: FileRights | null;
}

/** Messages in their order. */
export class MessageQueue {
  private messages: Message[] = [];
  /** Bytes to be read. */
  bytes = 0;
  /** Sum of what they cost. */
  charged = 0;

  get length(): number {
    return this.messages.length;
  }
  get first(): Message | undefined {
    return this.messages[0];
  }
  at(index: number): Message | undefined {
    return this.messages[index];
  }
  [Symbol.iterator](): Iterator<Message> {
    return this.messages[Symbol.iterator]();
  }

  push(message: Message): void {
    this.messages.push(message);
    this.bytes += message.bytes.length;
    this.charged += message.charge;
  }

  /** Takes the first one out and gives its cost back. Its rights are the caller's. */
  shift(): Message | undefined {
    const message = this.messages.shift();
    if (message === undefined) return undefined;
    this.bytes -= message.bytes.length - message.start;
    this.charged -= message.charge;
    message.payer?.refund(message.charge);
    return message;
  }

  /** The first message's next bytes are read. */
  consume(count: number): void {
    const first = this.messages[0];
    if (first === undefined) return;
    first.start += count;
    this.bytes -= count;
  }

  /** Puts bytes back before the first message's. */
  putBack(bytes: Uint8Array): void {
    const first = this.messages[0];
    this.bytes += bytes.length;
    if (first !== undefined && first.start >= bytes.length) {
      first.start -= bytes.length;
      return;
    }
    this.messages.unshift({
      bytes,
      start: 0,
      charge: 0,
      payer: null,
      from: UNKNOWN,
      credentials: first?.credentials ?? null,
      rights: null,
    });
  }

  /** Drops everything. */
  clear(): void {
    const dropped = this.messages;
    this.messages = [];
    this.bytes = this.charged = 0;
    for (const message of dropped) {
      message.payer?.refund(message.charge);
      message.rights?.release();
      message.rights = null;
    }
  }
}

export const UNKNOWN: Sender = { sockaddr: new Uint8Array(0) };

/** Bytes that an sk_buff and its shared part take beside the data, and the page size, as on x86-64. */
const BUFFER_HEADER = 256;
const SHARED_INFO = 320;
const PAGE = 4096;
const SMALLEST = 512;
/** Data in one page beside the shared part (SKB_MAX_HEAD(0)), and in four (SKB_MAX_ALLOC). */
const PAGE_DATA = PAGE - SHARED_INFO;
const FOUR_PAGE_DATA = 4 * PAGE - SHARED_INFO;
const MOST_FRAGMENTS = 17 * PAGE;

/** The most data of a stream that one message takes (unix_stream_sendmsg). */
export const STREAM_UNIT = PAGE_DATA + 32768;

const pages = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

function linearCost(bytes: number): number {
  let size = SMALLEST;
  while (size - SHARED_INFO < bytes) size *= 2;
  return BUFFER_HEADER + size;
}

/** What `bytes` of a unix stream cost: beyond a page, the rest lies in fragments. */
export function streamCost(bytes: number): number {
  const inFragments = Math.min(bytes, pages(Math.max(0, bytes - PAGE_DATA)));
  return linearCost(bytes - inFragments) + pages(inFragments);
}

/** What a unix datagram costs. */
export function datagramCost(bytes: number): number {
  const inFragments = Math.min(pages(Math.max(0, bytes - FOUR_PAGE_DATA)), MOST_FRAGMENTS);
  return linearCost(bytes - inFragments) + inFragments;
}
