import { App } from 'antd'
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Alert, Button } from './kit'
import { useErrorText } from './states'

/** Short notes at the top of the page. */
export function useToast() {
  const { message, notification } = App.useApp()
  const say = useErrorText()
  return {
    done: (text: string) => void message.success(text),
    /** A failure in the server's words. */
    failed: (error: unknown) => {
      const { title, detail, requestId } = say(error)
      notification.error({ title, description: requestId ? `${detail} (${requestId})` : detail, placement: 'topRight' })
    },
    /** A note that stays a while and can carry a button. */
    notice: (note: { title: string; detail?: ReactNode; kind: 'success' | 'error' | 'info'; action?: ReactNode; key?: string }) =>
      notification[note.kind]({ key: note.key, title: note.title, description: note.detail, actions: note.action, placement: 'topRight', duration: 8 }),
    close: (key: string) => notification.destroy(key),
  }
}

interface Ask {
  title: string
  /** What will happen, to how many and to whom; what cannot be undone. */
  body: ReactNode
  /** What the button does, as a verb. */
  ok: string
  danger?: boolean
  /** The work. The dialog stays open and shows progress until it ends; a failure is shown in it and it can be tried again. */
  run: () => Promise<unknown>
}

/** Asks before something that matters. Resolves when the dialog has closed: true if the work was done. */
export function useConfirm(): (ask: Ask) => Promise<boolean> {
  const { modal } = App.useApp()
  return useCallback(
    (ask) =>
      new Promise<boolean>((resolve) => {
        const dialog = modal.confirm({
          title: ask.title,
          content: (
            <Asking
              ask={ask}
              onEnd={(done) => {
                resolve(done)
                dialog.destroy()
              }}
            />
          ),
          icon: null,
          footer: null,
          centered: true,
          width: 440,
          onCancel: () => resolve(false), // Escape
        })
      }),
    [modal],
  )
}

/** The body of the question, with its own buttons, because they have to survive a failure. */
function Asking({ ask, onEnd }: { ask: Ask; onEnd: (done: boolean) => void }) {
  const { t } = useTranslation()
  const say = useErrorText()
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const safe = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    // After the kit has put the focus on the dialog. Enter must not do what cannot be undone.
    const frame = requestAnimationFrame(() => safe.current?.focus())
    return () => cancelAnimationFrame(frame)
  }, [])
  const go = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      await ask.run()
      onEnd(true)
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  return (
    <div className="kp-ask">
      <div>{ask.body}</div>
      {failure !== undefined && <Alert type="error" showIcon role="alert" title={say(failure).detail} />}
      <div className="kp-row">
        <span className="kp-grow" />
        <Button onClick={() => onEnd(false)} disabled={busy} ref={ask.danger ? safe : undefined}>
          {t('action.cancel')}
        </Button>
        <Button type="primary" danger={ask.danger} loading={busy} onClick={() => void go()} ref={ask.danger ? undefined : safe}>
          {ask.ok}
        </Button>
      </div>
    </div>
  )
}
