"""What an owner does with chats: make, rename, see and delete them."""
