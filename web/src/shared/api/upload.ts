import { currentLang } from '../i18n/i18n'
import { errorFrom, NetworkError } from './errors'

interface Options {
  onProgress?: (share: number) => void
  signal?: AbortSignal
}

/** Sends a file as the raw body of a POST. Uses XMLHttpRequest because fetch cannot report how much has gone. */
export function uploadFile<T>(path: string, file: Blob, { onProgress, signal }: Options = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    xhr.open('POST', path)
    xhr.setRequestHeader('Accept-Language', currentLang())
    xhr.setRequestHeader('Content-Type', 'application/octet-stream')
    xhr.upload.onprogress = (e) => {
      if (e.lengthComputable) onProgress?.(e.loaded / e.total)
    }
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) {
        try {
          resolve(JSON.parse(xhr.responseText) as T)
          return
        } catch {
          // a 2xx that is not JSON is reported like any unreadable answer
        }
      }
      const headers = new Headers()
      for (const name of ['Content-Type', 'X-Request-Id']) {
        const value = xhr.getResponseHeader(name)
        if (value) headers.set(name, value)
      }
      errorFrom(new Response(xhr.responseText, { status: xhr.status, headers })).then(reject, reject)
    }
    xhr.onerror = () => reject(new NetworkError('upload'))
    xhr.onabort = () => reject(new DOMException('aborted', 'AbortError'))
    signal?.addEventListener('abort', () => xhr.abort(), { once: true })
    xhr.send(file)
  })
}
