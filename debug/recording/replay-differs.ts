/** A replay does not do what the record says. The machine that threw it is in the middle of something: use another. */
export class ReplayDiffers extends Error {
  override readonly name = "ReplayDiffers";

  constructor(
    /** Instructions retired when it was noticed. */
    readonly instructions: number,
    /** What differs: the record's part, and this run's. */
    readonly difference: string,
  ) {
    super(`the replay differs at instruction ${instructions}: ${difference}`);
  }
}
