"""The queues, and the actor of each."""

#: The queue of all replies that have their turn.
REPLIES = "replies"
#: The queue of replies that a worker found no room for, because their users have another running reply (D-115).
FURTHER = "further"
#: The queue of chats that want a title. Its jobs come last, and any of them may be lost (D-162).
TITLES = "titles"
#: The actor of each queue.
QUEUES = {REPLIES: "write_reply", FURTHER: "write_further", TITLES: "write_title"}
