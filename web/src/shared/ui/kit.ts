/**
 * The component kit as features may use it. Nothing outside shared/ui imports
 * antd itself, so that a part can be replaced or wrapped here, once. It lists
 * what is used; add a line for what you need.
 */
export {
  Alert,
  AutoComplete,
  Button,
  Cascader,
  Checkbox,
  DatePicker,
  Dropdown,
  Input,
  Popover,
  Progress,
  QRCode,
  Segmented,
  Select,
  Skeleton,
  Steps,
  Switch,
  Table,
  Tabs,
  Tooltip,
} from 'antd'
