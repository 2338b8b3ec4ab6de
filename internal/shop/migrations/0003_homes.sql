-- The contact that an order came to by itself, whomever that is part of today; 0
-- is the contact itself. The undo of a merge gives orders back by it.
alter table orders add column home bigint not null default 0;
alter table order_refunds add column home bigint not null default 0;
