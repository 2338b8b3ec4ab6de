-- What the list is filtered and sorted by beyond the first release: each holds
-- all that a condition reads, so that a set of people is read from it alone.
create index contacts_by_last_channel on contacts (shown, last_channel, num);
create index contacts_by_touch on contacts (shown, first_source, first_medium, first_campaign, num);
create index contacts_by_first_order on contacts (first_order_at, num) where shown = 1 and first_order_at > 0;
create index contacts_by_last_order on contacts (last_order_at, num) where shown = 1;
create index contacts_by_birthday on contacts (substr(birthday, 6), birthday, num) where shown = 1 and birthday <> '';
create index contacts_by_about on contacts (shown, gender, city, num);
