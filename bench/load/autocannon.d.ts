// What is used here of autocannon, which brings no types.
declare module 'autocannon' {
  interface Result {
    readonly latency: { readonly p50: number; readonly p99: number }
    readonly requests: { readonly average: number; readonly total: number }
    readonly errors: number
    readonly non2xx: number
  }
  interface Request {
    method?: string
    path?: string
    body?: string
  }
  interface Options {
    url: string
    connections: number
    /** Seconds. */
    duration?: number
    /** Requests, instead of a duration. */
    amount?: number
    /** Seconds one answer may take. */
    timeout?: number
    /** Sent in turn; `setupRequest` makes each one anew. */
    requests?: (Request & { setupRequest?: (request: Request) => Request })[]
  }
  export default function autocannon(options: Options): Promise<Result>
}
