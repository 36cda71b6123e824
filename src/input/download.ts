/** Downloads over HTTP with limits on size and waiting time. @module */

/** The error of a failed download; its message is the continuation of a sentence. */
class DownloadError extends Error {
  /** The error's name. */
  override readonly name = "DownloadError";
}

/** Limits of a download. */
export interface DownloadOptions {
  /** The largest size in bytes. Default 256 MiB. */
  readonly most?: number;
  /** Seconds to wait for the response, and then for each next piece. Default 60. */
  readonly patience?: number;
  /** Called with the bytes received and the bytes in all, 0 if the server does not state them. */
  readonly onProgress?: (received: number, total: number) => void;
}

/**
 * The bytes at an address.
 *
 * @throws {DownloadError} When the server cannot be reached or answers with an error, announces or sends more bytes
 * than allowed, sends fewer than it announced, or sends nothing for `patience` seconds.
 */
export async function download(
  url: string | URL,
  { most = 2 ** 28, patience = 60, onProgress }: DownloadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const given = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(
      () => given.abort(new DownloadError(`nothing came for ${patience} seconds`)),
      1000 * patience,
    );
  };
  try {
    wait();
    const response = await fetch(url, { signal: given.signal });
    if (!response.ok || response.body === null) {
      throw new DownloadError(`HTTP ${response.status}`);
    }
    const total = Number(response.headers.get("content-length") ?? 0);
    if (total > most) throw new DownloadError(`it has ${total} bytes, at most ${most} are taken`);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let received = 0;
    for await (const chunk of response.body) {
      received += chunk.length;
      if (received > most) throw new DownloadError(`it has more than ${most} bytes`);
      chunks.push(chunk);
      onProgress?.(received, total);
      wait();
    }
    const bytes = new Uint8Array(received);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  } catch (error) {
    const reason = given.signal.aborted ? given.signal.reason : error;
    // Frees the connection.
    given.abort();
    if (reason instanceof DownloadError) throw reason;
    throw new DownloadError("the server cannot be reached, or ended before all was sent");
  } finally {
    clearTimeout(timer);
  }
}
