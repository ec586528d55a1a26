/** Bits into bytes, lowest bit first. */
export class BitWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;
  #pending = 0;
  #count = 0;

  /** Writes the low `count` bits (at most 24) of `value`. */
  write(value: number, count: number): void {
    this.#pending |= value << this.#count;
    this.#count += count;
    while (this.#count >= 8) {
      this.#push(this.#pending & 0xff);
      this.#pending >>>= 8;
      this.#count -= 8;
    }
  }

  /** Everything written, the last byte filled up with zeros. */
  finish(): Uint8Array {
    if (this.#count > 0) this.#push(this.#pending & 0xff);
    this.#pending = 0;
    this.#count = 0;
    return this.#bytes.slice(0, this.#length);
  }

  #push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }
}
