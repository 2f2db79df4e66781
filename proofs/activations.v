(* Four activations of class N: the sigmoid, tanh, arctan and softsign, each with its slope 1/v².

     sigmoid   v = 2 cosh(z/2)
     tanh      v = cosh z            (tanh z = 2 sigmoid(2z) − 1)
     arctan    v = √(1 + z²)
     softsign  v = 1 + |z| *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From GradTheory Require Import convex chain class_n.
Open Scope R_scope.

Lemma cosh_pos z : 0 < cosh z.
Proof. unfold cosh. pose proof (exp_pos z). pose proof (exp_pos (- z)). lra. Qed.

Lemma cosh_even z : cosh (- z) = cosh z.
Proof. unfold cosh. rewrite Ropp_involutive. lra. Qed.

(* The sigmoid. *)

Lemma sigmoid_derive z :
  is_derive (fun z => / (1 + exp (- z))) z (/ (1 + exp (- z)) * (1 - / (1 + exp (- z)))).
Proof. pose proof (exp_pos (- z)). auto_derive; [lra | field; lra]. Qed.

Definition sigmoid : activation := Activation _ _ sigmoid_derive.

Lemma sigmoid_slope z : slope sigmoid z = / (2 * cosh (z / 2)) ^ 2.
Proof.
  cbv [slope sigmoid]. unfold cosh.
  replace (exp (- z)) with (exp (- (z / 2)) ^ 2) by (simpl; rewrite Rmult_1_r, <- exp_plus; f_equal; field).
  rewrite exp_Ropp. pose proof (exp_pos (z / 2)). field. split; nra.
Qed.

Lemma sigmoid_class_N : class_N sigmoid.
Proof.
  exists (fun z => 2 * cosh (z / 2)). split; [| split].
  - intros x t y H. pose proof (cosh_convex (x / 2) (t / 2) (y / 2) ltac:(lra)). lra.
  - intros z. pose proof (cosh_pos (z / 2)). lra.
  - apply sigmoid_slope.
Qed.

(* tanh. *)

Lemma tanh_sigmoid z : tanh z = 2 * value sigmoid (2 * z) - 1.
Proof.
  cbv [value sigmoid]. unfold tanh, sinh, cosh.
  replace (exp (- (2 * z))) with (exp (- z) ^ 2) by (simpl; rewrite Rmult_1_r, <- exp_plus; f_equal; ring).
  rewrite exp_Ropp. pose proof (exp_pos z). field. repeat split; nra.
Qed.

Lemma tanh_slope z : 1 - tanh z ^ 2 = / cosh z ^ 2.
Proof.
  unfold tanh, sinh, cosh. rewrite exp_Ropp. pose proof (exp_pos z). field. split; nra.
Qed.

Lemma tanh_derive z : is_derive tanh z (1 - tanh z ^ 2).
Proof.
  apply (is_derive_ext (fun z => 2 * value sigmoid (2 * z) - 1)).
  - intros t. symmetry. apply tanh_sigmoid.
  - rewrite tanh_sigmoid. evar_last.
    + apply @is_derive_minus; [| apply @is_derive_const].
      apply (is_derive_scal (fun z => value sigmoid (2 * z))).
      apply (is_derive_comp (value sigmoid) (fun z => 2 * z) z (slope sigmoid (2 * z)) 2).
      * apply slope_is_derivative.
      * auto_derive; [exact I | ring].
    + unfold minus, plus, opp, zero, scal; simpl; unfold mult; simpl. ring.
Qed.

Definition hyperbolic_tangent : activation := Activation _ _ tanh_derive.

Lemma hyperbolic_tangent_class_N : class_N hyperbolic_tangent.
Proof. exists cosh. split; [apply cosh_convex | split; [apply cosh_pos | apply tanh_slope]]. Qed.

(* The slope of tanh at z is 4 times that of the sigmoid at 2z. *)
Lemma tanh_slope_sigmoid z : slope hyperbolic_tangent z = 4 * slope sigmoid (2 * z).
Proof.
  rewrite sigmoid_slope. cbv [slope hyperbolic_tangent]. rewrite tanh_slope. replace (2 * z / 2) with z by field.
  pose proof (cosh_pos z). field. lra.
Qed.

(* arctan. *)

Lemma arctan_derive z : is_derive atan z (/ (1 + z ^ 2)).
Proof. apply is_derive_Reals, derivable_pt_lim_atan. Qed.

Definition arctan : activation := Activation _ _ arctan_derive.

Lemma arctan_class_N : class_N arctan.
Proof.
  exists (fun z => sqrt (1 + z ^ 2)). split; [apply hyperbola_convex | split].
  - intros z. apply sqrt_lt_R0. nra.
  - intros z. cbv [slope arctan]. rewrite pow2_sqrt by nra. reflexivity.
Qed.

(* softsign. *)

Definition softsign_value z := z / (1 + Rabs z).

Lemma softsign_derive z : is_derive softsign_value z (/ (1 + Rabs z) ^ 2).
Proof.
  destruct (Rtotal_order z 0) as [N | [-> | P]].
  - rewrite Rabs_left by lra. apply (is_derive_ext_loc (fun z => z / (1 - z))).
    + exists (mkposreal (- z) ltac:(lra)). intros t T.
      unfold ball in T; simpl in T; unfold AbsRing_ball, abs, minus, plus, opp in T; simpl in T.
      apply Rabs_def2 in T. unfold softsign_value. rewrite Rabs_left by lra. reflexivity.
    + auto_derive; [lra | field; lra].
  - rewrite Rabs_R0. apply is_derive_Reals. intros eps E. exists (mkposreal eps E). intros h H L. simpl in L.
    unfold softsign_value. rewrite Rplus_0_l. pose proof (Rabs_pos h).
    replace ((h / (1 + Rabs h) - 0 / (1 + Rabs 0)) / h - / (1 + 0) ^ 2) with (- (Rabs h / (1 + Rabs h)))
      by (rewrite Rabs_R0; field; lra).
    rewrite Rabs_Ropp, Rabs_pos_eq by (apply Rdiv_le_0_compat; lra).
    apply Rle_lt_trans with (2 := L). apply (Rmult_le_reg_r (1 + Rabs h)); [lra |].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
  - rewrite Rabs_pos_eq by lra. apply (is_derive_ext_loc (fun z => z / (1 + z))).
    + exists (mkposreal z P). intros t T.
      unfold ball in T; simpl in T; unfold AbsRing_ball, abs, minus, plus, opp in T; simpl in T.
      apply Rabs_def2 in T. unfold softsign_value. rewrite Rabs_pos_eq by lra. reflexivity.
    + auto_derive; [lra | field; lra].
Qed.

Definition softsign : activation := Activation _ _ softsign_derive.

Lemma softsign_class_N : class_N softsign.
Proof.
  exists (fun z => 1 + Rabs z). split; [apply one_plus_abs_convex | split; [| reflexivity]].
  intros z. pose proof (Rabs_pos z). lra.
Qed.

(* The slopes are continuous. *)

Lemma sigmoid_slope_continuous z : continuous (slope sigmoid) z.
Proof.
  pose proof (exp_pos (- z)). cbv [slope sigmoid].
  eapply continuous_of_derivative. auto_derive; [lra | reflexivity].
Qed.

Lemma hyperbolic_tangent_slope_continuous z : continuous (slope hyperbolic_tangent) z.
Proof.
  apply (continuous_of_derivative _ _ (- (2 * tanh z * (1 - tanh z ^ 2)))). cbv [slope hyperbolic_tangent].
  evar_last.
  - apply @is_derive_minus; [apply @is_derive_const | apply is_derive_pow, tanh_derive].
  - unfold minus, plus, opp, zero; simpl. ring.
Qed.

Lemma arctan_slope_continuous z : continuous (slope arctan) z.
Proof. cbv [slope arctan]. eapply continuous_of_derivative. auto_derive; [nra | reflexivity]. Qed.

Lemma softsign_slope_continuous z : continuous (slope softsign) z.
Proof.
  cbv [slope softsign]. pose proof (Rabs_pos z).
  apply (continuous_comp (fun z => 1 + Rabs z) (fun y => / y ^ 2)).
  - apply (@continuous_plus _ R_AbsRing R_NormedModule); [apply continuous_const | apply continuous_Rabs].
  - eapply continuous_of_derivative. auto_derive; [nra | reflexivity].
Qed.
