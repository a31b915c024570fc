/** What a provider says later about a message that it has taken. */
export interface ReceiptReport {
  readonly id: string
  /** `underway` = it is not settled yet. */
  readonly outcome: 'delivered' | 'undelivered' | 'underway'
  /** In the provider's words. */
  readonly detail: string
}

/** A provider's request about messages. */
export interface ReceiptRequest {
  /** The URL that the provider was given. */
  readonly url: string
  /** Fields of the query and the body together. */
  readonly fields: URLSearchParams
  /** Of the body alone, in the order in which they came. */
  readonly form: URLSearchParams
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** How a notifier learns what became of its messages. */
export interface ReceiptSource {
  /** Looks whether a request is from the provider. @throws {DeliveryError} */
  verify?(request: ReceiptRequest): Promise<void>
  /** Reads the provider's request. @throws {DeliveryError} when it is not from the provider */
  read?(request: ReceiptRequest): Promise<readonly ReceiptReport[]>
  /** Asks the provider. @throws {DeliveryError} */
  poll?(messages: readonly { readonly id: string; readonly recipient: string }[]): Promise<readonly ReceiptReport[]>
}
