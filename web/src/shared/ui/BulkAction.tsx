import { useState, type ReactNode } from 'react'
import type { ContactSelection } from '../lib/selection'
import css from './BulkAction.module.css'
import { Dialog } from './Drawer'
import { Alert, Button } from './kit'
import { useErrorText } from './states'

interface Props<R> {
  selection: ContactSelection
  icon: ReactNode
  label: string
  title: (count: number) => string
  primary?: boolean
  width?: number
  /** What is to be done. */
  choose: (p: { who: ContactSelection; onClose: () => void; onStart: (run: R) => void }) => ReactNode
  /** How the work goes, once it was started. Closing the dialog does not stop it. */
  follow: (p: { run: R; onClose: () => void }) => ReactNode
}

/** Work on the chosen contacts, however many they are: a button, and the dialog that starts it and follows it. The server does the work. */
export function BulkAction<R>(props: Props<R>) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button size="small" type={props.primary ? 'primary' : 'default'} icon={props.icon} onClick={() => setOpen(true)}>
        {props.label}
      </Button>
      {open && <Body {...props} onClose={() => setOpen(false)} />}
    </>
  )
}

function Body<R>({ selection, title, width, choose, follow, onClose }: Props<R> & { onClose: () => void }) {
  // Those who were chosen when the dialog opened; the list behind it may refresh.
  const [who] = useState(selection)
  const [run, setRun] = useState<R>()
  const close = () => {
    onClose()
    if (run !== undefined) selection.done()
  }
  return (
    <Dialog open onClose={close} title={title(who.count)} width={width}>
      {run !== undefined ? follow({ run, onClose: close }) : choose({ who, onClose: close, onStart: setRun })}
    </Dialog>
  )
}

/** A step that the server may refuse: whether it is under way, and why it failed. */
export function useStep() {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const take = async (step: () => Promise<void>) => {
    setBusy(true)
    setFailure(undefined)
    try {
      await step()
    } catch (error) {
      setFailure(error)
    }
    setBusy(false)
  }
  return { busy, failure, take }
}

/** The body of either part: fields, what it comes to, what went wrong, and the buttons. */
export function BulkForm({ children, told, wrong, actions, onSubmit }: { children?: ReactNode; told: ReactNode; wrong: unknown; actions: ReactNode; onSubmit?: () => void }) {
  const say = useErrorText()
  return (
    <form
      className={css.form}
      onSubmit={(e) => {
        e.preventDefault()
        onSubmit?.()
      }}
    >
      {children}
      <div role="status" aria-live="polite" className={css.told}>
        {told}
      </div>
      {wrong !== undefined && wrong !== null && <Alert type="error" showIcon role="alert" title={say(wrong).detail} />}
      <div className={css.actions}>{actions}</div>
    </form>
  )
}

/** A label above its field. */
export function BulkField({ label, children }: { label: string; children: ReactNode }) {
  return (
    <label className={css.field}>
      {label}
      {children}
    </label>
  )
}
