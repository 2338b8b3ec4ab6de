import { App } from 'antd'
import { useCallback, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
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
  /** The work. The dialog stays open and shows progress until it ends; a failure is shown and it can be tried again. */
  run: () => Promise<unknown>
}

/** Asks before something that matters. Resolves when the dialog has closed: true if the work was done. */
export function useConfirm(): (ask: Ask) => Promise<boolean> {
  const { modal } = App.useApp()
  const { t } = useTranslation()
  const toast = useToast()
  return useCallback(
    (ask) =>
      new Promise<boolean>((resolve) => {
        modal.confirm({
          title: ask.title,
          content: ask.body,
          okText: ask.ok,
          cancelText: t('action.cancel'),
          okButtonProps: { danger: ask.danger },
          autoFocusButton: ask.danger ? 'cancel' : 'ok',
          icon: null,
          centered: true,
          width: 440,
          onOk: async () => {
            try {
              await ask.run()
            } catch (error) {
              toast.failed(error)
              throw error
            }
            resolve(true)
          },
          onCancel: () => resolve(false),
        })
      }),
    [modal, t, toast],
  )
}
