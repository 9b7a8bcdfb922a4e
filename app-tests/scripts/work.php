<?php

// A bit of everything that takes memory, for the test that counts it.

session_id('work' . (int) ($_GET['i'] ?? 0) % 10);
session_start();
$_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
session_write_close();
class Node
{
    public ?Node $other = null;
}
[$a, $b] = [new Node(), new Node()];
[$a->other, $b->other] = [$b, $a];
set_error_handler(fn () => true);
register_shutdown_function(fn () => null);
ob_start();
echo strlen(str_repeat('x', 100_000)), ' ', preg_match('/^a+$/', 'aaa'), ' ', json_encode($_GET), "\n";
