<?php

return [
    'ferrite' => ['options' => ['worker_num' => 1, 'reactor_num' => 1, 'log_level' => 3]],
    'cache' => ['rows' => 3, 'bytes' => 100],
];
