// GSM 03.38: what fits into seven bits, and what takes an escape before it.
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const EXTENDED = '\f^{}\\[~]|€'
const basicChars = new Set(BASIC)
const extendedChars = new Set(EXTENDED)

export interface SmsSize {
  readonly encoding: 'GSM-7' | 'UCS-2'
  /** How many messages the network sends, and bills. */
  readonly segments: number
}

/** A text that is not all GSM-7 takes two bytes a character: 70 instead of 160 fit, and fewer when it is split. */
export function smsSize(text: string): SmsSize {
  let septets = 0
  for (const char of text) {
    if (basicChars.has(char)) septets++
    else if (extendedChars.has(char)) septets += 2
    else return { encoding: 'UCS-2', segments: text.length <= 70 ? 1 : Math.ceil(text.length / 67) }
  }
  return { encoding: 'GSM-7', segments: septets <= 160 ? 1 : Math.ceil(septets / 153) }
}

/** Cuts between characters; the last one shows that something is missing. */
export function cutText(text: string, charsMax: number): string {
  const chars = Array.from(text)
  return chars.length <= charsMax ? text : `${chars.slice(0, charsMax - 3).join('')}...`
}
