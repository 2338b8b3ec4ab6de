-- 1: by a visitor who was judged to be no person; such openings count nowhere.
alter table link_opens add column fake bigint not null default 0;
