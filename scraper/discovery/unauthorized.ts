import { DiscoveryError } from './poll.ts'

/** Whether the other side did not take what was shown to it for who asks. */
export const isUnauthorized = (error: unknown): boolean => error instanceof DiscoveryError && error.status === 401

/**
 * Asks, and once more where the first time something that is held from before was not taken: sessions may end before their
 * time, keys may be exchanged.
 *
 * @param forget drops what is held; whether there was anything
 */
export async function askAnew<T>(ask: () => Promise<T>, forget: () => boolean | Promise<boolean>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!isUnauthorized(error) || !(await forget())) throw error
    return ask()
  }
}
