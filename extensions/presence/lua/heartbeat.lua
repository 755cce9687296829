-- Renews a lease.
--
-- KEYS[1]  leases: sorted set, incarnation → milliseconds of Redis' clock at which its lease ends
-- KEYS[2]  reaped: sorted set, incarnation → milliseconds at which it was reaped
-- KEYS[3]  quiet: exists while nobody may be reaped
-- KEYS[4]  clock: the latest milliseconds of Redis' clock that a renewal has seen
-- ARGV[1]  incarnation
-- ARGV[2]  lease in milliseconds
-- Returns  {'alive', milliseconds until the first lease of another ends, or -1}
--          {'reaped'}   others have taken it for dead and told so
--          {'unknown'}  Redis has forgotten everything

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The clock went back: no lease is longer than one that begins now, else the dead would stay for as long as it went
-- back. Not shortened by that time, since some may have begun after it.
local seen = redis.call('GET', KEYS[4])
if seen and now < tonumber(seen) then
  for _, incarnation in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now + ARGV[2], '+inf')) do
    redis.call('ZADD', KEYS[1], now + ARGV[2], incarnation)
  end
  redis.call('DEL', KEYS[3])
end
redis.call('SET', KEYS[4], now)

local mine = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not mine then
  if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
    return { 'reaped' }
  end
  return { 'unknown' }
end

-- All leases have ended at once: it was Redis that stood still, not the instances. They get time to renew.
if tonumber(mine) < now and redis.call('ZCOUNT', KEYS[1], now, '+inf') == 0 then
  redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])

local first = redis.call('ZRANGE', KEYS[1], 0, 1, 'WITHSCORES')
for i = 1, #first, 2 do
  if first[i] ~= ARGV[1] then
    return { 'alive', math.max(0, first[i + 1] - now) }
  end
end
return { 'alive', -1 }
