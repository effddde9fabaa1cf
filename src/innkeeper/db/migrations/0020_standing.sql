-- What stands is found without passing over what is over: servers, rooms that were suspended, servers of policies.

create index servers_alive on servers (app_id, created_at)
    where state in ('wanted', 'starting', 'running', 'draining', 'stopping');
create index servers_failed on servers (app_id, ended_at) where state = 'failed';
create index rooms_suspended on rooms (app_id) where state = 'suspended';
drop index reserved_servers_policy;
create index reserved_servers_policy on reserved_servers (policy_id, label_id, created_at);
-- Nothing is found by these.
drop index orders_org;
drop index orders_label;
drop index bookings_org;
