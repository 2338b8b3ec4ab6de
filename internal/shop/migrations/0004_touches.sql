-- By which channels the buyer had come when they paid: the first ever, and the
-- last within the company's window. touch_due above 0 means that it is to be
-- worked out (anew), and grows each time that something changes it: orders from
-- before this file are due.
alter table orders add column first_channel text not null default '';
alter table orders add column last_channel text not null default '';
alter table orders add column touch_due bigint not null default 1;
create index orders_touch_due on orders (num) where touch_due > 0;
create index orders_first_channel on orders (first_channel, paid_at, num);
create index orders_last_channel on orders (last_channel, paid_at, num);

-- How many days a touch before an order counts as its last one; 0 is any number.
create table order_settings (one bigint primary key, touch_days bigint not null);
insert into order_settings (one, touch_days) values (1, 30);
