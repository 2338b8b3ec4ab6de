-- Refunds are looked up by their own number: when searched, and when a file is imported again.
create index order_refunds_number on order_refunds (number);
