-- Written to find out whether anything can be written: a number that grows, and letters that need room.

alter table house add column beat bigint not null default 0;
alter table house add column filler text not null default '';
