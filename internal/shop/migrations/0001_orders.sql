-- One record per order number and source. num is dense and small: lines and
-- refunds point to it. payment is the messageId that paid it, '' for a refund
-- whose order is not known.
create table orders (
-- +sqlite
  num integer not null primary key,
-- +end
-- +postgres
  num bigint not null primary key,
-- +end
  id text not null unique,
  source text not null,
  number text not null,
-- +sqlite
  number_key text not null,
-- +end
-- +postgres
  number_key text collate "C" not null,
-- +end
  contact bigint not null,
  payment text not null,
  state text not null,
  type text not null,
  currency text not null,
  total bigint not null,
  refunded bigint not null,
  paid_at bigint not null,
  line_count bigint not null,
  import_id text not null,
  updated_at bigint not null,
  unique (source, number)
);
create index orders_contact on orders (contact, paid_at, num);
create index orders_paid_at on orders (paid_at, num);
create index orders_number on orders (number_key);
create index orders_import on orders (import_id, num) where import_id <> '';

-- part '' is what was paid; otherwise the key of the refund that gave it back.
create table order_lines (
  order_num bigint not null,
  part text not null,
  n bigint not null,
  sku text not null,
  name text not null,
  quantity double precision not null,
  price bigint not null,
  amount bigint not null
);
create index order_lines_order on order_lines (order_num);

create table order_refunds (
  order_num bigint not null,
  refund_key text not null,
  number text not null,
  contact bigint not null,
  currency text not null,
  amount bigint not null,
  whole bigint not null,
  refunded_at bigint not null,
  import_id text not null,
  primary key (order_num, refund_key)
);
create index order_refunds_contact on order_refunds (contact);
create index order_refunds_import on order_refunds (import_id, order_num) where import_id <> '';
