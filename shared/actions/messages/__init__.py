"""What an owner does with messages: post and delete them."""
