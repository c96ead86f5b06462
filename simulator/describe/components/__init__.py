"""What a part of a chip costs, as its size says: memories, routers, links, queues, lanes, read off
tables with sources in chips/components/.
"""
