/**
 * The component kit as features may use it. Nothing outside shared/ui imports
 * antd itself, so that a part can be replaced or wrapped here, once.
 */
export {
  Alert,
  AutoComplete,
  Avatar,
  Badge,
  Button,
  Checkbox,
  DatePicker,
  Descriptions,
  Divider,
  Dropdown,
  Input,
  InputNumber,
  Popover,
  Progress,
  Radio,
  Segmented,
  Select,
  Skeleton,
  Space,
  Spin,
  Steps,
  Switch,
  Table,
  Tabs,
  Tag,
  Timeline,
  Tooltip,
  Tree,
} from 'antd'
export type { ButtonProps, FormInstance, InputRef, MenuProps, SelectProps, TableProps } from 'antd'
