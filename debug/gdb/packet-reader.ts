/** From a stream of bytes to packets: `$payload#xx`, acknowledgements, and the byte 3 that means stop. */

export type Incoming =
  | { readonly kind: "packet"; readonly payload: string }
  /** A packet whose checksum is wrong. */
  | { readonly kind: "damaged" }
  | { readonly kind: "resend" }
  | { readonly kind: "interrupt" };

const DOLLAR = 0x24;
const HASH = 0x23;
const MINUS = 0x2d;
const INTERRUPT = 0x03;
/** A longer one is no packet of gdb's: what has come is thrown away. */
const LONGEST = 1 << 20;

export class PacketReader {
  private payload: string | null = null;
  /** Of the checksum, when the payload has ended. */
  private digits: string | null = null;

  /** What is complete with these bytes; the rest waits for more. */
  read(bytes: Uint8Array): Incoming[] {
    const out: Incoming[] = [];
    for (const byte of bytes) {
      if (this.digits !== null) {
        this.digits += String.fromCharCode(byte);
        if (this.digits.length === 2) out.push(this.complete());
      } else if (this.payload !== null) {
        if (byte === HASH) this.digits = "";
        else if (byte === DOLLAR) this.payload = "";
        else this.payload += String.fromCharCode(byte);
        if (this.payload.length > LONGEST) {
          this.payload = null;
          out.push({ kind: "damaged" });
        }
      } else if (byte === DOLLAR) this.payload = "";
      else if (byte === MINUS) out.push({ kind: "resend" });
      else if (byte === INTERRUPT) out.push({ kind: "interrupt" });
    }
    return out;
  }

  private complete(): Incoming {
    const payload = this.payload!;
    const digits = this.digits!;
    this.payload = this.digits = null;
    const right = /^[0-9a-f]{2}$/i.test(digits) && parseInt(digits, 16) === checksum(payload);
    return right ? { kind: "packet", payload } : { kind: "damaged" };
  }
}

function checksum(payload: string): number {
  let sum = 0;
  for (let i = 0; i < payload.length; i++) sum += payload.charCodeAt(i);
  return sum & 0xff;
}

/** A payload as it goes over the line. */
export function framed(payload: string): string {
  return `$${payload}#${checksum(payload).toString(16).padStart(2, "0")}`;
}
