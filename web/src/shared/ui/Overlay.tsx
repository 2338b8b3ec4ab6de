import { Modal } from 'antd'
import { useRef, type ReactNode } from 'react'
import { focusFirst } from './focus'

interface Props {
  open: boolean
  onClose: () => void
  /** What it is, for screen readers. */
  label: string
  children: ReactNode
  width?: number
}

/** A bare box over the page, without title or buttons, near the top; what it holds brings its own. */
export function Overlay({ open, onClose, label, children, width = 600 }: Props) {
  const box = useRef<HTMLDivElement>(null)
  return (
    <Modal
      open={open}
      onCancel={onClose}
      afterOpenChange={(now) => now && focusFirst(box.current)}
      footer={null}
      closable={false}
      width={width}
      title={<span className="kp-sr">{label}</span>}
      styles={{ header: { height: 0, margin: 0 } }}
      destroyOnHidden
      style={{ top: '12vh' }}
    >
      <div ref={box}>{children}</div>
    </Modal>
  )
}
