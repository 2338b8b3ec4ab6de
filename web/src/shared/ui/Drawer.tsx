import { Drawer as AntDrawer, Modal } from 'antd'
import { useRef, type ReactNode } from 'react'
import { focusFirst } from './focus'

interface Props {
  open: boolean
  onClose: () => void
  title: ReactNode
  children: ReactNode
  extra?: ReactNode
  footer?: ReactNode
  width?: number
}

/** A panel from the right, for details beside a list. Escape closes it; focus comes back. */
export function Drawer({ open, onClose, title, children, extra, footer, width = 560 }: Props) {
  return (
    <AntDrawer open={open} onClose={onClose} title={title} extra={extra} footer={footer} size={width} destroyOnHidden>
      {children}
    </AntDrawer>
  )
}

/** A dialog in the middle, for short forms. Its buttons live in its content. */
export function Dialog({ open, onClose, title, children, width = 460, closable = true }: Omit<Props, 'extra' | 'footer'> & { closable?: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  return (
    <Modal
      open={open}
      onCancel={onClose}
      afterOpenChange={(now) => now && focusFirst(box.current)}
      title={title}
      footer={null}
      width={width}
      closable={closable}
      mask={{ closable }}
      keyboard={closable}
      centered
      destroyOnHidden
    >
      <div ref={box}>{children}</div>
    </Modal>
  )
}
